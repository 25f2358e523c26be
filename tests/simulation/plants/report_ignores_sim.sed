# src/store/report.c
# A report is matched by TP-MR and recipient, whichever SIM sent the part.
/^static enum report_match report_match_mr/,/^}/{
s/attempt a INDEXED BY attempt_report JOIN/attempt a JOIN/
s/WHERE a\.sim_id = \?1 AND/WHERE ?1 > 0 AND/
}
