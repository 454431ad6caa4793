#!/usr/bin/python3
"""spdx.py DOCUMENT BUNDLE: the document holds to what SPDX 2.3 asks of JSON, and to what lies in the bundle."""

import hashlib
import json
import pathlib
import re
import sys

RELATIONS = {"DESCRIBES", "CONTAINS", "DYNAMIC_LINK", "STATIC_LINK"}
found = []


def hold(condition, what):
    if not condition:
        found.append(what)


def text(value, name, pattern=r".+"):
    hold(isinstance(value, str) and re.fullmatch(pattern, value), f"{name}: {value!r}")


def check_head(document):
    text(document.get("spdxVersion"), "spdxVersion", r"SPDX-2\.3")
    text(document.get("dataLicense"), "dataLicense", r"CC0-1\.0")
    text(document.get("SPDXID"), "SPDXID", "SPDXRef-DOCUMENT")
    text(document.get("name"), "name")
    text(document.get("documentNamespace"), "documentNamespace", r"https://[^#]+")
    creation = document.get("creationInfo", {})
    text(creation.get("created"), "created", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    hold(creation.get("creators"), "no creators")
    for creator in creation.get("creators", []):
        text(creator, "creator", r"(Tool|Person|Organization): .+")


def check_package(package):
    name = package.get("name")
    for field in ("name", "versionInfo", "downloadLocation"):
        text(package.get(field), f"{name}.{field}")
    text(package.get("supplier"), f"{name}.supplier", r"(Person|Organization): .+|NOASSERTION")
    hold(package.get("filesAnalyzed") is False, f"{name}.filesAnalyzed")  # else a verification code is wanted
    for field in ("licenseConcluded", "licenseDeclared"):
        text(package.get(field), f"{name}.{field}", r"[A-Za-z0-9.+()-]+( (AND|OR|WITH) [A-Za-z0-9.+()-]+)*")
    for reference in package.get("externalRefs", []):
        text(reference.get("referenceCategory"), f"{name}.referenceCategory", "PACKAGE-MANAGER")
        text(reference.get("referenceType"), f"{name}.referenceType", "purl")
        text(reference.get("referenceLocator"), f"{name}.purl", r"pkg:deb/debian/[a-zA-Z0-9.+%-]+@[^?]+\?arch=[a-z0-9]+&distro=\w+")


def check_bundle(document, bundle):
    for file in document["files"]:
        path = bundle / file["fileName"]
        for checksum in file["checksums"]:
            digest = hashlib.new(checksum["algorithm"].lower(), path.read_bytes()).hexdigest()
            hold(digest == checksum["checksumValue"], f"{path}: another digest")
    names = {file["fileName"] for file in document["files"]}
    for program in [*bundle.glob("bin/*"), *bundle.glob("libexec/*")]:
        hold("./" + program.relative_to(bundle).as_posix() in names, f"{program}: not in the document")
    packages = {package["name"] for package in document["packages"]}
    for library, package in {"libc.so.6": "libc6", "libstdc++.so.6": "libstdc++6", "libcrypto.so.3": "libssl3t64"}.items():
        hold((bundle / "lib" / library).exists() and package in packages, f"{library} of {package}")
    for package in ("libssl-dev", "libyaml-cpp-dev", "libarchive-dev", "libabsl-dev", "libcli11-dev", "nlohmann-json3-dev"):
        hold(package in packages, f"{package} is compiled in, and not named")
    for notice in bundle.glob("share/doc/*.copyright"):
        hold(notice.stem in packages, f"{notice}: of a package that is not named")
    for package in packages - {"railiance-backup"}:
        hold((bundle / f"share/doc/{package}.copyright").exists(), f"{package}: no copyright")


def check_relations(document):
    elements = [document, *document["packages"], *document["files"]]
    identifiers = [element["SPDXID"] for element in elements]
    for identifier in identifiers:
        text(identifier, "SPDXID", r"SPDXRef-[A-Za-z0-9.-]+")
    hold(len(set(identifiers)) == len(identifiers), "an identifier twice")
    relations = document["relationships"]
    for relation in relations:
        hold(relation["relationshipType"] in RELATIONS, f"relation {relation['relationshipType']}")
        for end in ("spdxElementId", "relatedSpdxElement"):
            hold(relation[end] in identifiers, f"{relation[end]} is not there")
    described = [relation for relation in relations if relation["relationshipType"] == "DESCRIBES"]
    hold(len(described) == 1, "it does not describe one package")
    related = {relation["relatedSpdxElement"] for relation in relations}
    hold(related == set(identifiers) - {"SPDXRef-DOCUMENT"}, "something stands in no relation")


if __name__ == "__main__":
    spdx = json.loads(pathlib.Path(sys.argv[1]).read_text())
    check_head(spdx)
    for one in spdx["packages"]:
        check_package(one)
    check_relations(spdx)
    check_bundle(spdx, pathlib.Path(sys.argv[2]))
    print("\n".join(found) or f"{len(spdx['packages'])} packages, {len(spdx['files'])} programs")
    sys.exit(bool(found))
