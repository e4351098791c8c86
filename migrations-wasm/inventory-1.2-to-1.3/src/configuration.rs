//! The configuration of 1.2 as 1.3 wants it.

use godwit_sdk::files::Tree;
use godwit_sdk::prelude::*;

const MAIN: &str = "inventory.conf";

/// Once, after the last record. An installation without a configuration has none to change.
pub(crate) fn bring_up_to_date(cx: &mut Context) -> Result<()> {
    let config = cx.tree("config")?;
    if config.exists(MAIN)? {
        let old = config.read_text(MAIN)?;
        config.write(MAIN, host_and_port(&old)?)?;
    }
    move_sites(&config)
}

fn host_and_port(text: &str) -> Result<String> {
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> Result<String> {
    let Some((_, address)) = line.split_once('=').filter(|(key, _)| key.trim() == "listen") else {
        return Ok(line.to_owned());
    };
    let address = address.trim();
    let (host, port) = address
        .rsplit_once(':')
        .ok_or_else(|| Error::new(format!("{MAIN}: listen = {address} has no port; write listen = HOST:PORT")))?;
    Ok(format!("host = {host}\nport = {port}\n"))
}

fn move_sites(config: &Tree) -> Result<()> {
    if config.exists("sites")? { config.rename("sites", "sites.d") } else { Ok(()) }
}
