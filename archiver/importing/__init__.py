"""Files of others → imports/, and notes on what they hold (docs/import.md, docs/adr/0015)."""

from archiver.importing.run import Imported, import_files
from archiver.importing.taking import Gap, Taken

__all__ = ["Gap", "Imported", "Taken", "import_files"]
