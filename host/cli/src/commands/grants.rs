//! `godwit grants`

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write as _};
use std::process::ExitCode;

use godwit_engine::{
    Asked, Event, Grants, GrantsRequest, ModuleOptions, Observer as _, Overview, approve, grants, revoke,
};
use godwit_model::{Fault, FaultClass};
use godwit_sandbox::tame;
use godwit_trust::Entry;
use serde_json::json;

use crate::args::{Grants as GrantsArgs, Output};
use crate::question::Question;
use crate::session::{Session, directories};
use crate::{exit, text};

const NOTHING_APPROVED: &str = "nothing was approved";

pub fn run(session: &Session, args: &GrantsArgs) -> Result<ExitCode, Fault> {
    let needs_config = args.to.is_some() && args.archive.is_none();
    let config = if needs_config { Some(session.config()?) } else { session.config_if_any()? };
    let on = (args.archive.as_deref(), args.to.as_ref());
    let allowed = session.grants(&args.directories, config.as_ref(), on);
    if !args.revoke.is_empty() {
        return take_back(session, args, &allowed);
    }
    let directories = directories(&args.directories, config.as_ref());
    let modules = ModuleOptions { directories, grants: allowed.clone(), ..ModuleOptions::default() };
    let request =
        GrantsRequest { archive: args.archive.clone(), config: config.as_ref(), to: args.to.clone(), modules };
    let Overview { asked, idle } = grants(&request)?;
    for ceiling in &idle {
        session.progress.event(Event::Note(&format!("warning: {ceiling}")));
    }
    if args.approve { approve_all(session, args, &allowed, &asked) } else { show_all(session, args, &allowed, &asked) }
}

/// Shows the modules; where a person sees it, asks once.
fn show_all(session: &Session, args: &GrantsArgs, grants: &Grants, asked: &[Asked]) -> Result<ExitCode, Fault> {
    let open = asked.iter().filter(|asked| !asked.is_approved()).count();
    let may_ask = open > 0 && is_at_terminal(session) && obstacles(asked, args.allow_unsigned).is_empty();
    let next = if may_ask { String::new() } else { next(args, grants, asked) };
    session.show(&document(grants, asked, open == 0), || asked.iter().map(described).collect::<String>() + &next)?;
    if !may_ask {
        return Ok(if open == 0 { ExitCode::SUCCESS } else { refused() });
    }
    let agreed = agreed(asked)?;
    session.stop.check()?;
    if !agreed {
        println!("{NOTHING_APPROVED}");
        return Ok(refused());
    }
    let new = approve(grants, asked, args.allow_unsigned)?;
    println!("{}", approved_in_words(new.len(), grants));
    Ok(ExitCode::SUCCESS)
}

fn refused() -> ExitCode {
    exit::status(FaultClass::Refused).into()
}

fn approve_all(session: &Session, args: &GrantsArgs, grants: &Grants, asked: &[Asked]) -> Result<ExitCode, Fault> {
    let was_open: Vec<_> = approve(grants, asked, args.allow_unsigned)?.into_iter().map(|asked| asked.digest).collect();
    let approved: Vec<_> = asked.iter().map(|asked| Asked { objections: vec![], ..asked.clone() }).collect();
    session.show(&document(grants, &approved, true), || {
        let new: Vec<_> = approved.iter().filter(|asked| was_open.contains(&asked.digest)).collect();
        let shown: String = new.iter().map(|asked| described(asked)).collect();
        if new.is_empty() {
            "approved already\n".to_owned()
        } else {
            format!("{shown}{}\n", approved_in_words(new.len(), grants))
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn take_back(session: &Session, args: &GrantsArgs, grants: &Grants) -> Result<ExitCode, Fault> {
    let revoked = revoke(grants, &args.revoke)?;
    session.show(&json!({ "command": "grants", "lock": grants.lock, "revoked": revoked }), || {
        let said = |entry: &Entry| format!("revoked: {} {} ({})\n", entry.name, entry.version, entry.digest.short());
        revoked.iter().map(said).collect::<String>() + &written(grants) + "\n"
    })?;
    Ok(ExitCode::SUCCESS)
}

fn document(grants: &Grants, asked: &[Asked], approved: bool) -> serde_json::Value {
    json!({ "command": "grants", "lock": grants.lock, "approved": approved, "modules": asked })
}

fn approved_in_words(count: usize, grants: &Grants) -> String {
    format!("approved {}; {}", text::counted(count as u64, "module"), written(grants))
}

fn written(grants: &Grants) -> String {
    format!("{} says so now; keep it under version control", grants.lock.display())
}

/// A question is asked only where a person sees what it is about.
fn is_at_terminal(session: &Session) -> bool {
    let shown = session.format == Output::Human && !session.quiet;
    shown && io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn agreed(asked: &[Asked]) -> Result<bool, Fault> {
    let open: Vec<_> = asked.iter().filter(|asked| !asked.is_approved()).collect();
    let unsigned = open.iter().filter(|asked| asked.signature.trusted_key().is_none()).count();
    let _open = Question::Line(NOTHING_APPROVED).open();
    print!("Approve {}? [y/N] ", counted(open.len(), unsigned));
    let mut answer = String::new();
    io::stdout().flush().and_then(|()| io::stdin().read_line(&mut answer)).map_err(Fault::system)?;
    if answer.is_empty() {
        println!();
    }
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn counted(open: usize, unsigned: usize) -> String {
    let what = if open == 1 { "this module".to_owned() } else { format!("these {open} modules") };
    match unsigned {
        0 => what,
        1 if open == 1 => format!("{what}, which is not signed by a trusted key"),
        _ if unsigned == open => format!("{what}, none of them signed by a trusted key"),
        _ => format!("{what}, {unsigned} of them not signed by a trusted key"),
    }
}

fn obstacles(asked: &[Asked], allow_unsigned: bool) -> Vec<String> {
    let said = |asked: &Asked| Some(format!("{}: {}", asked.manifest.name, asked.obstacle(allow_unsigned)?));
    asked.iter().filter_map(said).collect()
}

/// What to type next.
fn next(args: &GrantsArgs, grants: &Grants, asked: &[Asked]) -> String {
    if asked.iter().all(Asked::is_approved) {
        return "all of them are approved\n".to_owned();
    }
    let obstacles = obstacles(asked, args.allow_unsigned);
    if !obstacles.is_empty() {
        return format!("these cannot be approved as they are:\n  {}\n", obstacles.join("\n  "));
    }
    let unsigned = if args.allow_unsigned { " --allow-unsigned" } else { "" };
    format!("to approve them: {} --approve{unsigned}\n", grants.command)
}

/// A module as an operator should see it before it may run.
fn described(asked: &Asked) -> String {
    let manifest = &asked.manifest;
    let mut text = format!("{} {} ({})", manifest.name, manifest.version, asked.digest.short());
    if let Some(from) = &asked.from {
        let _ = write!(text, ", {from} -> {}", manifest.to);
    }
    text.push('\n');
    if !manifest.description.is_empty() {
        let _ = writeln!(text, "  {}", tame(&manifest.description));
    }
    let state = match asked.objections.is_empty() {
        true => "approved".to_owned(),
        false => asked.objections.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    let lines = manifest.in_words().into_iter().chain([("signature", asked.signature.to_string()), ("state", state)]);
    for (what, said) in lines {
        let _ = writeln!(text, "  {what:<13} {said}");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_counts_what_nobody_vouches_for() {
        assert_eq!(counted(1, 0), "this module");
        assert_eq!(counted(1, 1), "this module, which is not signed by a trusted key");
        assert_eq!(counted(3, 0), "these 3 modules");
        assert_eq!(counted(3, 2), "these 3 modules, 2 of them not signed by a trusted key");
        assert_eq!(counted(3, 3), "these 3 modules, none of them signed by a trusted key");
    }
}
