# src/gateway/smss.c
# faults: swallowed,held,cms
# A part that the modem holds back is taken for one that it never submits.
s/\.settled_us = now_us \+ SMSS_SETTLE_US/.settled_us = now_us/
