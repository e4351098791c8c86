//! Who signed a module, and what follows from it. The files are minisign's, to the byte.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use godwit_tests::{Outcome, Shop, modules, run, without};

use super::readable::Refusals;

const FILE: &str = "modules/inventory-1.0-to-1.1.wasm";
const PLAN: [&str; 4] = ["plan", "old.tar", "--to", "1.1.0"];
const APPROVE: [&str; 5] = ["grants", "old.tar", "--to", "1.1.0", "--approve"];

/// A shop that knows a module and trusts its vendor; the vendor's keys lie about, too.
fn shop_and_vendor() -> Shop {
    let shop = Shop::new();
    shop.godwit(&["backup", "-o", "old.tar"]).succeeded();
    fs::remove_file(shop.path("godwit.lock")).unwrap();
    fs::create_dir(shop.path("modules")).unwrap();
    fs::copy(modules().join("inventory-1.0-to-1.1.wasm"), shop.path(FILE)).unwrap();
    shop.godwit(&["module", "keygen", "--key", "vendor.key", "--no-password"]).succeeded();
    trust(&shop, &[&public_key(&shop, "vendor.pub")]);
    shop
}

fn signed() -> Shop {
    let shop = shop_and_vendor();
    shop.godwit(&["module", "sign", FILE, "--key", "vendor.key"]).succeeded();
    shop
}

fn approved() -> Shop {
    let shop = signed();
    shop.godwit(&APPROVE).succeeded();
    shop
}

fn public_key(shop: &Shop, file: &str) -> String {
    fs::read_to_string(shop.path(file)).unwrap().lines().nth(1).unwrap().to_owned()
}

fn key_id(shop: &Shop, file: &str) -> String {
    fs::read_to_string(shop.path(file)).unwrap().lines().next().unwrap().rsplit(' ').next().unwrap().to_owned()
}

fn trust(shop: &Shop, keys: &[&str]) {
    let config = "[application]\nname = \"inventory\"\nversion = \"1.0.0\"\n\n\
         [databases.main]\nurl = \"sqlite://inventory.db\"\n\n[files.config]\npath = \"config\"\n\n[modules]\npath = [\"modules\"]\n";
    shop.write("godwit.toml", &format!("{config}trust = {keys:?}\n"));
}

/// Changes one character of the signature itself.
fn tamper(shop: &Shop, line: usize) {
    let path = format!("{FILE}.minisig");
    let text = fs::read_to_string(shop.path(&path)).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let changed = if lines[line].as_bytes()[40] == b'A' { "B" } else { "A" };
    lines[line].replace_range(40..=40, changed);
    shop.write(&path, &(lines.join("\n") + "\n"));
}

/// The refusal, free of the ids of keys made for this test only.
fn refused(shop: &Shop, refusals: &mut Refusals, name: &str, arguments: &[&str]) {
    let before = shop.tree();
    let mut outcome = shop.godwit(arguments);
    assert_eq!(shop.tree(), before, "{name}: nothing changed, nothing left behind");
    for key in ["vendor.pub", "other.pub"] {
        if shop.path(key).exists() {
            outcome.stderr = outcome.stderr.replace(&key_id(shop, key), &format!("[ID of {key}]"));
        }
    }
    refusals.said(name, &outcome, 3);
}

#[test]
fn a_signed_module_is_approved_by_its_signature() {
    let shop = approved();
    let id = key_id(&shop, "vendor.pub");
    let lock = fs::read_to_string(shop.path("godwit.lock")).unwrap();
    assert!(lock.contains(&format!("signed-by = \"{id}\"")), "{lock}");
    let planned = shop.godwit(&PLAN).succeeded();
    assert!(planned.contains(&format!("signed by {id}")) && !planned.contains("warning"), "{planned}");
    let plan = shop.godwit(&[&PLAN[..], &["--output", "json"]].concat()).json()["plan"].clone();
    assert_eq!(plan["chain"][0]["signature"]["key"], id.as_str());
    assert_eq!(plan["chain"][0]["grants"]["drops"], serde_json::json!(["sessions"]));
    let inspected = shop.godwit(&["module", "inspect", FILE]).succeeded();
    assert!(inspected.contains(&format!("signature     signed by {id}\n")), "{inspected}");
}

#[test]
fn an_unsigned_module_is_approved_only_on_purpose_and_every_report_says_so() {
    let shop = shop_and_vendor();
    let mut refusals = Refusals::new();
    refused(&shop, &mut refusals, "not signed", &APPROVE);
    shop.godwit(&["module", "keygen", "--key", "other.key", "--no-password"]).succeeded();
    shop.godwit(&["module", "sign", FILE, "--key", "other.key"]).succeeded();
    refused(&shop, &mut refusals, "signed by a stranger", &APPROVE);
    refusals.compare("unsigned");
    shop.godwit(&[&APPROVE[..], &["--allow-unsigned"]].concat()).succeeded();
    assert!(fs::read_to_string(shop.path("godwit.lock")).unwrap().contains("unsigned = true"));
    let warning = "module acme/inventory-1.1 is not signed by a trusted key";
    let migrate = ["migrate", "old.tar", "--to", "1.1.0", "-o", "new.tar", "--log", "log"];
    let migrated = shop.godwit(&migrate).succeeded();
    assert!(migrated.contains(&format!("warning: {warning}")), "{migrated}");
    let log = fs::read_to_string(shop.path("log")).unwrap();
    assert!(log.lines().any(|line| line.contains("\"kind\":\"warning\"") && line.contains(warning)), "{log}");
    fs::remove_file(shop.path(&format!("{FILE}.minisig"))).unwrap();
    assert!(shop.godwit(&PLAN).succeeded().contains(warning), "nobody vouched for it before, either");
}

#[test]
fn a_signature_is_checked_again_at_every_run() {
    let shop = approved();
    let signature = shop.path(&format!("{FILE}.minisig"));
    let good = fs::read(&signature).unwrap();
    let mut refusals = Refusals::new();
    for (name, line) in [("a tampered signature", 1), ("a tampered comment", 2), ("a tampered comment's signature", 3)]
    {
        tamper(&shop, line);
        refused(&shop, &mut refusals, name, &PLAN);
        fs::write(&signature, &good).unwrap();
    }
    fs::write(&signature, "hello").unwrap();
    refused(&shop, &mut refusals, "no signature at all", &PLAN);
    refused(&shop, &mut refusals, "no signature at all, approved", &[&APPROVE[..], &["--allow-unsigned"]].concat());
    fs::remove_file(&signature).unwrap();
    refused(&shop, &mut refusals, "a signature that is gone", &PLAN);
    shop.godwit(&["module", "keygen", "--key", "other.key", "--no-password"]).succeeded();
    trust(&shop, &[&public_key(&shop, "other.pub")]);
    fs::write(&signature, &good).unwrap();
    refused(&shop, &mut refusals, "a key that is not trusted any more", &PLAN);
    shop.godwit(&["module", "sign", FILE, "--key", "other.key"]).succeeded();
    refused(&shop, &mut refusals, "another key that is trusted", &PLAN);
    refusals.compare("signatures");
    shop.godwit(&APPROVE).succeeded();
    shop.godwit(&PLAN).succeeded();
}

#[test]
fn a_signature_is_of_one_file() {
    let shop = signed();
    fs::copy(modules().join("inventory-1.1-to-1.2.wasm"), shop.path("modules/other.wasm")).unwrap();
    fs::copy(shop.path(&format!("{FILE}.minisig")), shop.path("modules/other.wasm.minisig")).unwrap();
    let both = ["module", "verify", FILE, "modules/other.wasm"];
    let outcome = shop.godwit(&both);
    assert_eq!(outcome.status, Some(3), "{}", outcome.stdout);
    let (first, second) = outcome.stdout.split_once("modules/other.wasm").unwrap();
    assert!(
        first.contains("acme/inventory-1.1 0.1.0 sha256:") && second.contains("bad signature"),
        "{}",
        outcome.stdout
    );
    assert!(!second.contains("sha256:"), "a comment is shown only after it verified");
}

#[test]
fn keys_are_named_on_the_command_line_or_in_the_configuration() {
    let shop = signed();
    let key = public_key(&shop, "vendor.pub");
    for arguments in [&["--public-key", &key][..], &["--public-key", "vendor.pub"], &[]] {
        shop.godwit(&[&["module", "verify", FILE], arguments].concat()).succeeded();
    }
    trust(&shop, &[]);
    assert!(shop.godwit(&["module", "verify", FILE]).failed(2).contains("--public-key"));
    for bad in ["RWQ", "missing.pub", "vendor.key", "old.tar"] {
        assert!(!shop.godwit(&["module", "verify", FILE, "--public-key", bad]).failed(2).is_empty(), "{bad}");
    }
    trust(&shop, &["RWQ"]);
    assert!(shop.godwit(&PLAN).failed(2).contains("begins with RW"));
}

#[test]
fn a_key_is_its_owners_and_never_written_over() {
    let shop = Shop::empty("1.0.0");
    shop.write("password", "correct horse\n");
    assert!(
        shop.godwit(&["module", "keygen"]).failed(2).contains("--password-file"),
        "nobody is asked where nobody is"
    );
    let keygen = ["module", "keygen", "--key", "a.key", "--password-file", "password"];
    let said = shop.godwit(&keygen).succeeded();
    assert!(said.contains(&format!("trust = [\"{}\"]", public_key(&shop, "a.pub"))), "{said}");
    assert_eq!(fs::metadata(shop.path("a.key")).unwrap().permissions().mode() & 0o777, 0o600);
    let before = shop.tree();
    assert!(shop.godwit(&keygen).failed(3).contains("never written over"));
    assert_eq!(shop.tree(), before);
    fs::copy(modules().join("inventory-1.0-to-1.1.wasm"), shop.path("m.wasm")).unwrap();
    let sign = ["module", "sign", "m.wasm", "--key", "a.key"];
    assert!(shop.godwit(&sign).failed(2).contains("--password-file"));
    shop.write("wrong", "correct house\n");
    let wrong = shop.godwit(&[&sign[..], &["--password-file", "wrong"]].concat()).failed(2);
    assert!(wrong.contains("Wrong password") && !wrong.contains("house"), "{wrong}");
    shop.godwit(&[&sign[..], &["--password-file", "password"]].concat()).succeeded();
    shop.godwit(&["module", "verify", "m.wasm", "--public-key", "a.pub"]).succeeded();
}

/// minisign itself, with what is typed.
fn minisign(shop: &Shop, arguments: &[&str], typed: &str) -> Option<Outcome> {
    let mut command = Command::new("minisign");
    command.args(arguments).current_dir(shop.dir());
    let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else { return without("the program minisign") };
    // One that needs no password may be over already.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    Some(child.wait_with_output().unwrap().into())
}

#[test]
fn minisign_takes_our_signatures_and_our_keys() {
    let shop = signed();
    let Some(verified) = minisign(&shop, &["-V", "-H", "-p", "vendor.pub", "-m", FILE], "") else { return };
    assert!(verified.succeeded().contains("acme/inventory-1.1 0.1.0 sha256:"));
    shop.write("password", "correct horse\n");
    shop.godwit(&["module", "keygen", "--key", "other.key", "--password-file", "password"]).succeeded();
    for (key, public) in [("vendor.key", "vendor.pub"), ("other.key", "other.pub")] {
        fs::remove_file(shop.path(&format!("{FILE}.minisig"))).unwrap();
        minisign(&shop, &["-S", "-s", key, "-m", FILE], "correct horse\n").unwrap().succeeded();
        shop.godwit(&["module", "verify", FILE, "--public-key", public]).succeeded();
    }
}

#[test]
fn we_take_minisigns_keys() {
    let shop = shop_and_vendor();
    let keygen = ["-G", "-p", "real.pub", "-s", "real.key"];
    let Some(made) = minisign(&shop, &keygen, "correct horse\ncorrect horse\n") else { return };
    made.succeeded();
    shop.write("password", "correct horse\n");
    shop.godwit(&["module", "sign", FILE, "--key", "real.key", "--password-file", "password"]).succeeded();
    minisign(&shop, &["-V", "-p", "real.pub", "-m", FILE], "").unwrap().succeeded();
    trust(&shop, &[&public_key(&shop, "real.pub")]);
    shop.godwit(&APPROVE).succeeded();
    run(Command::new("rm").arg(shop.path("real.key"))).succeeded();
    shop.godwit(&PLAN).succeeded();
}
