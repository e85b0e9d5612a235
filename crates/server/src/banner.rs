//! What the terminal shows once the house is open.

use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;

use crate::app::App;

pub fn print(app: &App, lan: bool, setup_link: &Option<String>) {
    println!("Stube is ready at {}", app.origins.base());
    if lan {
        for other in app.origins.all().iter().skip(1) {
            println!("               or {other}");
        }
        println!("Browsers warn once about the certificate, which this computer made itself.");
        if let Some(code) = qr_code(app.origins.base()) {
            println!("\n{code}\n");
        }
    }
    if let Some(link) = setup_link {
        println!("Nobody has an account yet. This link makes the first one, once:\n{link}");
    }
    println!("Press Ctrl+C to stop.");
}

/// Dark on light, for cameras, whatever the colours of the terminal.
fn qr_code(text: &str) -> Option<String> {
    let code = QrCode::new(text).ok()?;
    let drawn = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Dark)
        .light_color(Dense1x2::Light)
        .build();
    Some(
        drawn
            .lines()
            .map(|line| format!("\x1b[30;47m{line}\x1b[0m"))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}
