# src/deliver: sources and unit tests
