//! Stories of disclosure days that went wrong elsewhere, each told here as it goes with us: one
//! story, one test, under its name.

mod a_branch_moved;
mod a_crash_in_the_middle;
mod a_wrong_remote;
mod clocks_change_under_the_embargo;
mod it_leaks_before_any_patch;
mod it_leaks_three_days_ahead;
mod mail_is_down_at_t0;
mod somebody_objects_to_the_date;
mod the_upload_dies;
mod three_advisories_one_release;
