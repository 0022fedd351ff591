# src/intake: sources and unit tests
