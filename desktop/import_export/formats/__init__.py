"""The export formats of chat programs, one module each.

To add a format whose exports are single files, write a module with `recognises` and `read` like lm_studio.py, add it to
`desktop.import_export.reader.FORMATS`, and name the program in the text of `desktop.import_export.card`. Jan is the
exception: its export is a folder.
"""
