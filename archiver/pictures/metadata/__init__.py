"""What a picture's file says of itself: EXIF, IPTC, XMP, colour profile, comments, Content Credentials.

The bytes are hostile: `read.read_metadata` runs in the sandbox. What it found is compared by `ledger`, and
the times in it are read by `times`.
"""
