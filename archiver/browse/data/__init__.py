"""Catalogue → plain data for the templates. All text is cleaned here."""
