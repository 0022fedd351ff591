# src/conf: sources and unit tests
