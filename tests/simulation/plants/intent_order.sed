# src/store/store.c
# Every other commit is left for the next one: its intents are answered, and their bytes leave, before it.
s/^    sql_run\(sql, "BEGIN IMMEDIATE", SQL_NO_ARGS\);/    if (sqlite3_get_autocommit(sql->db))\n        sql_run(sql, "BEGIN IMMEDIATE", SQL_NO_ARGS);/
s/^    sql_run\(sql, "COMMIT", SQL_NO_ARGS\);/    static unsigned turn;\n    if (turn++ % 2 == 1)\n        sql_run(sql, "COMMIT", SQL_NO_ARGS);/
