//! One run.

use secateur_report::{markdown, page};

use crate::read::{Cells, cells, in_markdown, on_page, tiles, words};
use crate::record::{Json, run};

/// The page and its Markdown.
pub(crate) fn shown() -> [String; 2] {
    let runs = [run()];
    [page("t", &runs, None), markdown(&runs, None)]
}

/// Holds a table of the page and of the Markdown to the cells that it should have.
pub(crate) fn hold(name: &str, wanted: &[Vec<String>]) {
    let [page, markdown] = shown();
    assert_eq!(on_page(&page, name), wanted, "{name}, page");
    assert_eq!(
        in_markdown(&markdown, &wanted[0]),
        wanted,
        "{name}, Markdown"
    );
}

fn arms() -> Cells {
    let of = Json::of("report.json");
    let each = |of: &dyn Fn(&str) -> String| ["/dense", "/before", "/after", "/narrow"].map(of);
    let row = |name: &str, [dense, before, after, narrow]: [String; 4], ratio: String| {
        [name.to_owned(), dense, before, after, narrow, ratio]
    };
    // Of the network at the start there is nothing to be said by these.
    let apart = |what: &str, [dense, _, after, narrow]: [String; 4]| {
        [dense, what.to_owned(), after, narrow]
    };
    let none = String::new;
    let percent = |what: &str| each(&|arm| of.percent(&format!("{arm}/{what}")));
    let count = |what: &str| each(&|arm| of.count(&format!("{arm}/{what}")));
    let ratio = |what: &str| of.ratio(&format!("/before/{what}"), &format!("/after/{what}"));
    let seconds = |arm: &str| format!("{:.2}", of.float(&format!("{arm}/train_seconds")));
    let header = ["", "dense", "before", "after", "narrow", "before / after"];
    cells(vec![
        words(header),
        row(
            "test accuracy (%)",
            apart("untrained", percent("test_score")),
            none(),
        ),
        row(
            "balanced accuracy (%)",
            apart("", percent("balanced_accuracy")),
            none(),
        ),
        row("params", count("params"), ratio("params")),
        row("MACs a row", count("macs"), ratio("macs")),
        row(
            "with all inputs read",
            count("macs_all_inputs"),
            ratio("macs_all_inputs"),
        ),
        row("bytes on disk", count("bytes"), ratio("bytes")),
        row("inputs read", count("units/0"), none()),
        row(
            "hidden units",
            each(&|arm| of.joined(&format!("{arm}/units"), 1)),
            none(),
        ),
        row("training seconds", apart("", each(&seconds)), none()),
    ])
}

#[test]
fn every_arm_has_its_own_numbers_in_its_column() {
    hold("Arms", &arms());
    // What the run folder has, and what the command prints.
    let wanted = arms();
    assert_eq!(in_markdown(&run().report.to_markdown(), &wanted[0]), wanted);
}

#[test]
fn the_headline_tells_what_is_left_of_what() {
    let of = Json::of("report.json");
    let fewer = |what: &str| {
        let (from, to) = (format!("/before/{what}"), format!("/after/{what}"));
        let note = format!("fewer: {} of {}", of.count(&to), of.count(&from));
        [format!("{} ×", of.ratio(&from, &to)), note]
    };
    let tile = |name: &str, [value, note]: [String; 2]| [name.to_owned(), value, note];
    let score = |arm: &str| format!("{} %", of.percent(&format!("/{arm}/test_score")));
    let hidden = |arm: &str| of.joined(&format!("/{arm}/units"), 1);
    let seconds = |place: &str| format!("{} s", of.text(place));
    let wanted = cells(vec![
        tile(
            "Test accuracy",
            [score("after"), format!("dense {}", score("dense"))],
        ),
        tile("MACs a row", fewer("macs")),
        tile("Parameters", fewer("params")),
        tile(
            "Hidden units",
            [hidden("after"), format!("of {}", hidden("before"))],
        ),
        tile(
            "Inputs read",
            [
                of.count("/after/units/0"),
                format!("of {}", of.count("/data/features")),
            ],
        ),
        tile(
            "Training time",
            [
                seconds("/seconds/search"),
                format!("dense {}", seconds("/dense/train_seconds")),
            ],
        ),
    ]);
    assert_eq!(tiles(&shown()[0]), wanted);
}

/// Groups of channels are no layers behind inputs, of which networks for images read all.
#[test]
fn units_of_groups_are_told_as_such() {
    let mut run = run();
    run.report.start = "resnet20".into();
    let runs = [run];
    let page = page("t", &runs, None);
    let tile = tiles(&page).swap_remove(3);
    assert_eq!(tile, words(["Units", "63", "of 134, in 3 groups"]));
    assert!(!page.contains("Inputs read") && !page.contains("inputs read"));
    let layers = on_page(&page, "Units by layer, before and after");
    let first = |row: &Vec<String>| row[..3].to_vec();
    let wanted = [
        ["group 1", "64", "33"],
        ["group 2", "41", "19"],
        ["group 3", "29", "11"],
    ];
    assert_eq!(
        layers[1..].iter().map(first).collect::<Cells>(),
        wanted.map(words)
    );
    let text = markdown(&runs, None);
    let arms = in_markdown(&text, &arms()[0]);
    let units = arms.iter().find(|row| row[0] == "units").unwrap();
    assert_eq!(
        units[1..5],
        words(["61-38-27", "64-41-29", "33-19-11", "62-12-9"])
    );
    assert!(
        text.contains("group 1 from 64 to 35, group 2 from 41 to 20"),
        "{text}"
    );
}

#[test]
fn seconds_stand_under_what_they_went_into() {
    let of = Json::of("report.json");
    let names = [
        "forward", "backward", "update", "penalty", "shrink", "score",
    ];
    let parts = names.map(|name| of.float(&format!("/seconds/{name}")));
    let rest = of.float("/seconds/total") - parts.iter().sum::<f64>();
    let mut split = words(["compressing run", "", "", "", "", "", "", "", "", ""]);
    for (cell, name) in split[1..].iter_mut().zip(names) {
        *cell = of.text(&format!("/seconds/{name}"));
    }
    split[7] = format!("{rest:.2}");
    split[9] = of.text("/seconds/total");
    let whole = |name: &str, place: &str| {
        let mut row = words([name, "", "", "", "", "", "", "", "", ""]);
        row[8] = of.text(place);
        row[9] = of.text(place);
        row
    };
    hold(
        "Where the time went",
        &cells(vec![
            words([
                "seconds",
                "forward",
                "backward",
                "update",
                "penalty",
                "shrink",
                "scoring",
                "rest",
                "not split",
                "total",
            ]),
            split,
            whole("with the search for the strength", "/seconds/search"),
            whole("dense network", "/dense/train_seconds"),
            whole("narrowed network", "/narrow/train_seconds"),
        ]),
    );
    let [page, markdown] = shown();
    let told = "Training time: compressing run 20.4 s, 35 % of it backward; with the search for the strength 83.6 s; \
                dense network 12.7 s; narrowed network 9.51 s.";
    assert!(page.contains(told) && markdown.contains(told), "{markdown}");
    let own = run().report.to_markdown();
    for line in [
        "- forward 5.130",
        "- backward 7.210",
        "- update 1.310",
        "- penalty 0.920",
        "- shrink 0.830",
        "- scoring 0.480",
        "- rest 4.520",
        "- total 20.400",
        "- total with the search for the strength 83.600",
    ] {
        assert!(own.lines().any(|l| l == line), "{line} in\n{own}");
    }
}

#[test]
fn rows_checks_and_settings_are_told_in_words() {
    let [page, markdown] = shown();
    let own = run().report.to_markdown();
    for told in [
        "67 features; 1,258 rows to train, 181 to validate, 359 to test.",
        "Verified: 2 removals, each unchanged on real rows; the written file on rten 0.27 gives the outputs of the naive f64 \
         evaluator within 4.6e-7 (relative, 251 rows).",
    ] {
        assert!(
            page.contains(told) && markdown.contains(told),
            "{told}\n{markdown}"
        );
    }
    for told in [
        "\n67 features; 1258 rows to train, 181 to validate, 359 to test.",
        "\nVerified: 2 removals, each unchanged on real rows; the written file on rten 0.27 gives the outputs of the naive f64 \
         evaluator within 4.6e-7 (relative, 251 rows).\n",
        "\nBudget: macs=15%, 8,765 of at most 9,018 MACs a row (met, 2.8 % below); 59,999 at the start.\n",
        "\nStrength 3.470e-3; 71.3 % of the weights penalised at the start. Config 0123456789abcdef, 36 threads, avx2, peak \
         memory 123 MiB.\n",
        "| inputs | no | 65 to 34 | 1.412 to 0.8123 | 1.523 to 0.9234 | 1.311 to 0.7112 |\n",
        "| hidden layer 1 | yes | 44 to 46 | 2.412 to 0.5123 | 2.523 to 0.6234 | 2.311 to 0.4112 |\n",
    ] {
        assert!(own.contains(told), "{told}\n{own}");
    }
}

#[test]
fn evidence_tries_norms_and_machine_have_their_tables() {
    let of = Json::of("report.json");
    let list = |place: &str, names: &[&str]| -> Vec<String> {
        names
            .iter()
            .map(|name| of.text(&format!("{place}/{name}")))
            .collect()
    };
    let tries = (0..3).map(|i| {
        let place = format!("/tries/{i}");
        let mut row = list(
            &place,
            &["strength", "validation_quality", "macs", "seconds"],
        );
        row[2] = of.count(&format!("{place}/macs"));
        row
    });
    let header = words(["strength", "quality", "MACs a row", "seconds"]).to_vec();
    let all: Cells = std::iter::once(header).chain(tries).collect();
    hold("Strengths that were tried", &all);

    let removals = (0..2).map(|i| {
        let place = format!("/removals/{i}");
        let mut row = list(
            &place,
            &[
                "epoch",
                "units",
                "folded",
                "inputs",
                "asked",
                "naive_difference",
                "engine_difference",
            ],
        );
        row[4] = ["budget", "dead"][i].to_owned();
        row
    });
    let header = [
        "epoch",
        "units",
        "folded",
        "inputs",
        "why",
        "naive difference",
        "engine difference",
    ];
    let all: Cells = std::iter::once(words(header).to_vec())
        .chain(removals)
        .collect();
    hold("Removals with their evidence", &all);

    let layers = (0..2).map(|i| {
        let place = format!("/layers/{i}");
        let mut row = list(
            &place,
            &[
                "name",
                "scale_free",
                "start/units",
                "end/units",
                "start/rms",
                "end/rms",
                "start/largest",
                "end/largest",
                "start/smallest",
                "end/smallest",
            ],
        );
        row[1] = ["no", "yes"][i].to_owned();
        row
    });
    let header = [
        "layer",
        "normalised behind",
        "units",
        "units left",
        "root mean square at the start",
        "root mean square at the end",
        "largest at the start",
        "largest at the end",
        "smallest at the start",
        "smallest at the end",
    ];
    let all: Cells = std::iter::once(words(header).to_vec())
        .chain(layers)
        .collect();
    hold("Norms of units by layer", &all);

    let versions = [
        ["", "value"],
        ["secateur", "0.1.0"],
        ["runtime of the check", "rten 0.27"],
        ["data fingerprint (SHA-256)", &"9".repeat(64)],
        ["strength", "0.00347"],
        ["weights penalised at the start (%)", "71.3"],
        ["ended", "complete, epoch 23"],
        ["threads", "36"],
        ["instruction set", "avx2"],
        ["peak memory of the process", "123 MiB"],
    ];
    hold(
        "Versions and machine",
        &versions.map(|row| words(row).to_vec()),
    );
}

/// Errors are told in the unit of the target, and smaller ones are better.
#[test]
fn errors_stand_where_accuracies_do() {
    let mut run = run();
    run.report.metric = "rmse".into();
    for arm in [&mut run.report.before, &mut run.report.after] {
        arm.balanced_accuracy = None;
    }
    (run.report.dense, run.report.narrow) = (None, None);
    let own = run.report.to_markdown();
    let page = page("t", &[run], None);
    let wanted = words(["test RMSE", "untrained", "0.8976", ""]).to_vec();
    assert_eq!(on_page(&page, "Arms")[1], wanted);
    let header = words(["", "before", "after", "before / after"]);
    assert_eq!(in_markdown(&own, &header)[1], wanted);
    assert_eq!(tiles(&page)[0], words(["Test RMSE", "0.8976"]));
}
