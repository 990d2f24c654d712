"""What leaves an archive in the forms of other tools: one selection of articles and records, a module a form."""
