//! When a file is full, what it is then called, and which old ones stay.
