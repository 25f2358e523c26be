# src/store/schema.c
# A commit is in the page cache alone: a power cut takes what was promised.
s/synchronous=FULL/synchronous=OFF/
