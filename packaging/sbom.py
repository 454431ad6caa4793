#!/usr/bin/python3
"""sbom.py BUNDLE NAME VERSION COMMIT ARCH SUPPLIER: what a bundle is made of, as SPDX 2.3 in JSON, on standard output: the programs
with their digests, and the Debian packages whose libraries lie in it or are compiled in (the bundle's share/packages).
The same bundle gives the same text; SOURCE_DATE_EPOCH is when it was made."""

import datetime
import hashlib
import json
import os
import pathlib
import re
import sys
import urllib.parse

KINDS = {"shared": "DYNAMIC_LINK", "linked": "STATIC_LINK", "contained": "CONTAINS"}


def identifier(*parts):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", "-".join(parts))


def debian_package(name, version, architecture, source, source_version):
    place = urllib.parse.quote(f"pkg:deb/debian/{name}@{version}", safe=":/@")
    return {
        "SPDXID": identifier("Package", name, architecture), "name": name, "versionInfo": version,
        "supplier": "Organization: Debian", "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION",
        "sourceInfo": f"Debian source package {source} {source_version}; copyright: share/doc/{name}.copyright",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"{place}?arch={architecture}&distro=trixie"}],
    }


def program(bundle, path):
    content = path.read_bytes()
    name = path.relative_to(bundle).as_posix()
    return {
        "SPDXID": identifier("File", name), "fileName": "./" + name, "fileTypes": ["BINARY"],
        "checksums": [{"algorithm": algorithm, "checksumValue": hashlib.new(algorithm.lower(), content).hexdigest()}
                      for algorithm in ("SHA1", "SHA256")],
        "licenseConcluded": "Apache-2.0", "licenseInfoInFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION",
    }


def document(bundle, name, version, commit, arch, supplier):
    programs = [program(bundle, path) for path in sorted(bundle.rglob("*"))
                if path.parent.name in ("bin", "libexec") and path.is_file()]
    root = {
        "SPDXID": "SPDXRef-Package-" + name, "name": name, "versionInfo": version, "supplier": f"Organization: {supplier}".replace("<", "(").replace(">", ")"),
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "primaryPackagePurpose": "APPLICATION",
        "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0", "copyrightText": "NOASSERTION",
        "sourceInfo": f"commit {commit or 'unknown'}, for {arch}",
    }
    packages, relations = {}, [("SPDXRef-DOCUMENT", "DESCRIBES", root["SPDXID"])]
    for line in (bundle / "share/packages").read_text().splitlines():
        kind, *facts = line.split("\t")
        package = debian_package(*facts)
        packages[package["SPDXID"]] = package
        relations.append((root["SPDXID"], KINDS[kind], package["SPDXID"]))
    relations += [(root["SPDXID"], "CONTAINS", file["SPDXID"]) for file in programs]
    contents = hashlib.sha256(json.dumps([programs, sorted(packages)], sort_keys=True).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{version}-linux-{arch}",
        "documentNamespace": f"https://spdx.org/spdxdocs/{name}-{version}-linux-{arch}-{contents[:32]}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": [f"Tool: {name}-sbom-{version}"]},
        "packages": [root, *(packages[key] for key in sorted(packages))], "files": programs,
        "relationships": [{"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related}
                          for element, kind, related in relations],
    }


if __name__ == "__main__":
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    print(json.dumps(document(pathlib.Path(sys.argv[1]), *sys.argv[2:]), indent=1))
