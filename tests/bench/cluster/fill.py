"""Makes ConfigMaps number FIRST to LAST in the namespaces fill-0 to fill-9, inside a bed, over eight connections:
kubectl would take ten times as long. Arguments: FIRST LAST."""
import base64
import http.client
import json
import ssl
import sys
import tempfile
import threading

import yaml

KUBECONFIG = "/etc/rancher/k3s/k3s.yaml"
THREADS = 8


def context():
    config = yaml.safe_load(open(KUBECONFIG))
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    made = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
        pair.flush()
        made.load_cert_chain(pair.name)
    host, port = cluster["server"].removeprefix("https://").split(":")
    return made, host, int(port)


def create(connection, path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status in (201, 409), text


def work(access, numbers, failures):
    made, host, port = access
    try:
        connection = http.client.HTTPSConnection(host, port, context=made, timeout=60)
        for number in numbers:
            create(connection, f"/api/v1/namespaces/fill-{number % 10}/configmaps",
                   {"metadata": {"name": f"c{number}"}, "data": {"text": f"{number} " * 100}})
    except Exception as error:  # told by main
        failures.append(error)


def main():
    first, last = int(sys.argv[1]), int(sys.argv[2])
    access = context()
    connection = http.client.HTTPSConnection(access[1], access[2], context=access[0], timeout=60)
    for number in range(10):
        create(connection, "/api/v1/namespaces", {"metadata": {"name": f"fill-{number}"}})
    failures = []
    threads = [threading.Thread(target=work, args=(access, range(first + start, last, THREADS), failures))
               for start in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


if __name__ == "__main__":
    main()
