//! Who has which notice: every state reached by real conversations with a relay, later words on
//! plans that have long ended, an engine that dies in between, and a notice sent once more.

mod crowd;
mod ground;
mod heard;
mod refusals;
mod resend;
mod shown;
mod states;
mod worries;
