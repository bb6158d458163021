"""What an uploaded file really is, whatever it was said to be.

It is looked into by a process of its own (`python -m kyc.inspection`), since decoders of images and PDFs are large and
files are made to trip them: what hangs, or wants all memory, or crashes, ends with that process. The modules here
import nothing of the bank's but each other, and the process is given no settings and no secrets.
"""
