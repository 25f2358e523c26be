# src/gateway/gateway_policy.c
# No answer is taken for "not sent".
/case GATEWAY_UNKNOWN:/,/return policy;/s/policy\.attempt = ATTEMPT_UNKNOWN;/policy.attempt = ATTEMPT_NOT_SENT;\n        policy.verdict = OUTCOME_RETRY;/
