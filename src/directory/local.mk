# src/directory: sources and unit tests
