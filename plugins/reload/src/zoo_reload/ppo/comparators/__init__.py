"""What users would otherwise pick, on the same learner: PID multipliers, CRPO, FOCOPS and CPO."""
