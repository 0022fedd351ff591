# src/render: sources and unit tests
