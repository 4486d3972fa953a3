"""Saved networks as the archives they are: read, changed, and written again."""

import json
import zipfile


def members(path):
    """Return what lies in an archive: bytes by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, parts, packed=False):
    """Write an archive of bytes by name; return its path."""
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def rewritten(path, member, change):
    """Change the JSON of one member in place; `change` takes it and returns the new one."""
    parts = members(path)
    parts[member] = json.dumps(change(json.loads(parts[member])))
    return write(path, parts, packed=True)
