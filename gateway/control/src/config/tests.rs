//! The config as a whole: samples, mistakes, reloads, differences, the accounts file.

mod samples;
