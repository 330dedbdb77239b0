//! What the command says about itself.

use insta::assert_snapshot;

use crate::harness::Sandbox;

#[test]
fn help_lists_every_flag() {
    let shown = Sandbox::new().run("compress --help");
    assert_snapshot!(shown);
}

#[test]
fn without_a_subcommand_the_command_explains_itself() {
    let shown = Sandbox::new().run("");
    assert_snapshot!(shown);
}

#[test]
fn an_unknown_flag_is_answered_with_the_nearest() {
    let shown = Sandbox::new().run("compress --stregth 1");
    assert_snapshot!(shown);
}
