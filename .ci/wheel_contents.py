"""What a wheel and an sdist must have, and must not: `python .ci/wheel_contents.py dist/*`."""

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
    r"ARCHITECTURE\.md|(^|/)tests?/|generators/|\.ipynb|__pycache__|\.venv|(^|/)\.(ci|github)/"
)


def names(path: str) -> list[str]:
    """The files of an archive."""
    if path.endswith(".whl"):
        return zipfile.ZipFile(path).namelist()
    return [name.partition("/")[2] for name in tarfile.open(path).getnames()]


failed = False
for path in sys.argv[1:]:
    files = names(path)
    missing = [each for each in NEEDED if not any(each in f"/{name}" for name in files)]
    unwanted = [name for name in files if UNWANTED.search(name)]
    print(f"{path}: {len(files)} files", *([f"missing: {missing}"] if missing else []), *unwanted[:5])
    failed = failed or bool(missing or unwanted)
sys.exit(failed)
