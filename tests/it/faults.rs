//! What goes wrong on a day, each with what must then be true: the world, people, time, leaders
//! and a meddled database. Nothing leaves early, nobody else waits for the one in trouble, and a
//! person hears of it.

mod database;
mod hanging;
mod leaders;
mod lists;
mod mail;
mod people;
mod strangers;
mod targets;
mod time;
