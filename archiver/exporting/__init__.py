"""What leaves an archive in the forms of other tools: one selection of records, a module for each form."""
