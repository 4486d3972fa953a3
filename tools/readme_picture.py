"""Take the README's picture from the welcome page, as profile mini ran it last: `make picture`."""

import base64

from xaiaudio.publishing import notebooks, project

PICTURE = "book/_static/three-methods.png"


def main():
    """Write the picture, and say how large it is."""
    found = project.find("mini")
    notebook = notebooks.read(found.executed / "welcome.ipynb")
    target = found.root / PICTURE
    target.write_bytes(base64.b64decode(notebooks.pictures(notebook)["fig-welcome"]))
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
