"""What two pictures have to do with each other, by their pixels. The only place that knows OpenCV.

`compare.py` judges and needs the sandbox; `align.py` also maps pictures by their stored fingerprints.
"""
