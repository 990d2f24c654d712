"""Imported by what needs the program openssl: without it, those test modules are skipped, and say so."""

import shutil

import pytest

if shutil.which("openssl") is None:
    pytest.skip("openssl is not installed", allow_module_level=True)
