"""Two pictures: how one maps on the other, and what differs then. The only importer of OpenCV."""
