# src/http: sources and unit tests
