# src/proc: sources and unit tests
