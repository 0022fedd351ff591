# src/role: sources and unit tests
