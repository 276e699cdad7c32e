"""What a wheel and an sdist must have, and must not: `python .ci/wheel_contents.py [--published] dist/*`.

With `--published` the description must lead somewhere from a package index, too: no relative links.
"""

import re
import sys
import tarfile
import zipfile

NEEDED = (
    "stripe_magics/py.typed",
    "stripe_magics/__main__.py",
    "stripe_magics/catalogue/generated/",
    "stripe_magics/sandbox/demo_data/account.packed",
    "/LICENSE",
)
UNWANTED = re.compile(
    r"ARCHITECTURE\.md|(^|/)tests?/|generators/|\.ipynb|__pycache__|\.venv"
    r"|(^|/)\.(ci|github)/(?!package_readme\.py$)"
)
RELATIVE = re.compile(r"\]\((?![a-z][a-z+.-]*:|#)([^)\s]+)\)")


def names(path: str) -> list[str]:
    """The files of an archive."""
    if path.endswith(".whl"):
        return zipfile.ZipFile(path).namelist()
    return [name.partition("/")[2] for name in tarfile.open(path).getnames()]


def description(path: str) -> str:
    """What a package index shows of an archive."""
    if path.endswith(".whl"):
        archive = zipfile.ZipFile(path)
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return archive.read(name).decode()
    with tarfile.open(path) as packed:
        (member,) = (each for each in packed.getnames() if re.fullmatch(r"[^/]+/PKG-INFO", each))
        file = packed.extractfile(member)
        assert file is not None
        return file.read().decode()


arguments = sys.argv[1:]
published = "--published" in arguments
failed = False
for path in (each for each in arguments if each != "--published"):
    files = names(path)
    missing = [each for each in NEEDED if not any(each in f"/{name}" for name in files)]
    unwanted = [name for name in files if UNWANTED.search(name)]
    print(f"{path}: {len(files)} files", *([f"missing: {missing}"] if missing else []), *unwanted[:5])
    relative = RELATIVE.findall(description(path)) if published else []
    if relative:
        print(
            f"{len(relative)} links of README lead nowhere from a package index, such as {relative[0]}."
            " Set Repository in [project.urls] of pyproject.toml."
        )
    failed = failed or bool(missing or unwanted or relative)
sys.exit(failed)
