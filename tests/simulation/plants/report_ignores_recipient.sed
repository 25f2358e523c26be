# src/store/report.c
# faults: reset,boot,reports
# A report is matched by SIM and TP-MR alone.
/^static enum report_match report_match_mr/,/^}/s/!number_same\(sql_column_text\(row, 6\), report->recipient\)/false/
