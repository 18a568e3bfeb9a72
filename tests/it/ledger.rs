//! Who has which notice: every state reached by real conversations with a relay, later words on
//! plans that have long ended, an engine that dies in between, and a notice sent once more,
//! and drafts that end nothing before they are approved.

mod crowd;
mod drafts;
mod ground;
mod heard;
mod pace;
mod refusals;
mod resend;
mod shown;
mod states;
mod worries;
