"""What the service and the learner notice while they work, in bounded memory: nothing here reads the log again."""
