//! The headers of every answer, errors included, in one place.

use actix_web::HttpResponseBuilder;
use actix_web::http::header as name;

/// Two years, as browsers' preload lists want it (RFC 6797).
const HSTS: &str = "max-age=63072000";
/// No script, no form, no frame, nothing from elsewhere.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'none'; \
    base-uri 'none'; frame-ancestors 'none'";
/// Everything a browser might lend a page, to nobody.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), \
    encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), magnetometer=(), \
    microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), \
    screen-wake-lock=(), usb=(), xr-spatial-tracking=()";

/// How long an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// A file: briefly, because at T0 it is about to change.
    Minute,
    /// Anything else: what is not there now may be there in a second.
    No,
}

/// Adds what every answer carries.
pub(super) fn on_every(answer: &mut HttpResponseBuilder, https: bool, keep: Keep) {
    let cache = match keep {
        Keep::Minute => "public, max-age=60, must-revalidate",
        Keep::No => "no-store",
    };
    answer
        .insert_header((name::CONTENT_SECURITY_POLICY, CSP))
        .insert_header((name::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((name::REFERRER_POLICY, "no-referrer"))
        .insert_header((name::CROSS_ORIGIN_OPENER_POLICY, "same-origin"))
        .insert_header((name::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"))
        .insert_header((name::PERMISSIONS_POLICY, PERMISSIONS))
        .insert_header((name::CACHE_CONTROL, cache));
    if https {
        answer.insert_header((name::STRICT_TRANSPORT_SECURITY, HSTS));
    }
}
