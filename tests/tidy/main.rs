//! Style as a test: what a reviewer would otherwise have to say again and again. Each finding names file and line, and
//! what to do instead. Text is looked at line by line, which is close enough and quick.

mod layers;
mod pages;
mod read;
mod text;
