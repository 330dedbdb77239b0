//! Bad input: each is refused with a message that names the place and says what to do, and leaves nothing.

use insta::assert_snapshot;

use crate::harness::Sandbox;

/// Files, the arguments after `compress`, and the exit code.
struct Case<'a> {
    what: &'a str,
    files: &'a [(&'a str, &'a [u8])],
    arguments: &'a str,
    code: i32,
}

/// Runs every case in a folder of its own and shows what each was told.
fn refused(cases: &[Case<'_>]) -> String {
    let mut text = String::new();
    for case in cases {
        let sandbox = Sandbox::new();
        for (name, content) in case.files {
            sandbox.file(name, content);
        }
        let before = sandbox.content();
        let shown = sandbox.run(&format!("compress {}", case.arguments));
        let what = case.what;
        assert_eq!(shown.code, Some(case.code), "{what}\n{shown}");
        assert_eq!(shown.stdout, "", "{what}");
        assert!(shown.stderr.starts_with("error: "), "{what}\n{shown}");
        assert_eq!(sandbox.content(), before, "{what}: something was left");
        let typed = format!("secateur compress {}", case.arguments);
        text += &format!("# {what}\n$ {}\n{}", typed.trim_end(), shown.stderr);
        text += &format!("exit code {}\n\n", case.code);
    }
    text
}

fn usage<'a>(what: &'a str, arguments: &'a str) -> Case<'a> {
    Case {
        what,
        files: &[],
        arguments,
        code: 2,
    }
}

#[test]
fn choices_that_make_no_sense() {
    let told = refused(&[
        usage("no data", ""),
        usage("a width of zero", "--data digits --net 32-0"),
        usage("no width", "--data digits --net wide"),
        usage("a negative strength", "--data digits --strength -1"),
        usage(
            "a strength that is no number",
            "--data digits --strength nan",
        ),
        usage("beta of 0", "--data digits --part spare-last:0"),
        usage("an unknown part", "--data digits --part most"),
        usage("a misspelt penalty", "--data digits --penalty group-laso"),
        usage("no epochs", "--data digits --epochs 0"),
        usage("a batch of 0", "--data digits --batch 0"),
        usage("an unknown criterion", "--data digits --by l3"),
        usage(
            "a criterion without a budget",
            "--data digits --part full --by taylor",
        ),
        usage(
            "a criterion for a chain",
            "--data digits --net 8 --by taylor",
        ),
        usage("no stages", "--data digits --stages 0"),
        usage("multiples of 0", "--data digits --round 0"),
        usage("a learning rate of 0", "--data digits --learning-rate 0"),
        usage("momentum of 1", "--data digits --momentum 1"),
        usage(
            "settling all the time",
            "--data digits --epochs 3 --settle 3",
        ),
        usage("a loss for the other task", "--data digits --loss mse"),
        usage("an unknown optimizer", "--data digits --optimizer lion"),
        usage("epochs and steps", "--data digits --epochs 3 --steps 100"),
        usage("no steps", "--data digits --steps 0"),
        usage("an unknown order", "--data digits --order sorted"),
        usage("an unknown init", "--data digits --init uniform"),
        usage(
            "an init that is no law",
            "--data digits --init truncated-normal:-0.1",
        ),
        usage(
            "permuted features",
            "--data digits --inputs like-hidden --part fraction:0.5:random",
        ),
        usage(
            "a doubled softmax of numbers",
            "--data diabetes --loss double-softmax",
        ),
        usage("an unknown task", "--data digits --task ranking"),
        usage("no such target", "--data digits --target colour"),
    ]);
    assert_snapshot!(told);
}

#[test]
fn config_files_that_cannot_be_used() {
    let config = |what, files, code| Case {
        what,
        files,
        arguments: "--data digits --config run.toml",
        code,
    };
    let told = refused(&[
        config(
            "an unknown key",
            &[("run.toml", b"learningrate = 0.1\n")],
            2,
        ),
        config(
            "text for a number",
            &[("run.toml", b"epochs = \"many\"\n")],
            2,
        ),
        config("no TOML", &[("run.toml", b"epochs = \n")], 2),
        config("no such file", &[], 3),
    ]);
    assert_snapshot!(told);
}

#[test]
fn tables_that_cannot_be_used() {
    let table = |what, content: &'static [u8]| (what, content);
    let tables = [
        table("ragged rows", b"a,b,y\n1,2,3\n4,5\n6,7,8\n"),
        table(
            "text in a number column",
            b"a,y\n1,2\n3,4\n5,6\nabout 7,8\n9,10\n",
        ),
        table("a missing value", b"a,y\n1,2\n,4\n5,6\n"),
        table("NaN", b"a,y\n1,2\nNaN,4\n5,6\n"),
        table("infinity", b"a,y\n1,2\ninf,4\n5,6\n"),
        table("zero rows", b"a,y\n"),
        table("an empty file", b""),
        table("a constant target", b"a,y\n1,5\n2,5\n3,5\n"),
        table("too few rows to split", b"a,y\n1,2\n3,4\n"),
    ];
    let told: String = tables
        .iter()
        .map(|(what, content)| {
            refused(&[Case {
                what,
                files: &[("t.csv", content)],
                arguments: "--data t.csv --task regression --quiet",
                code: 3,
            }])
        })
        .collect();
    let others = refused(&[
        Case {
            what: "no such file",
            files: &[],
            arguments: "--data t.csv",
            code: 3,
        },
        Case {
            what: "no such target",
            files: &[("t.csv", b"a,y\n1,2\n3,4\n")],
            arguments: "--data t.csv --target z",
            code: 2,
        },
        Case {
            what: "a folder of two tables",
            files: &[("set/a.csv", b"a,y\n"), ("set/b.csv", b"a,y\n")],
            arguments: "--data set",
            code: 2,
        },
    ]);
    let told = told + &others;
    assert_snapshot!(told);
}

/// Magic, dimensions, then bytes.
fn idx(kind: u8, dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, kind, dimensions.len() as u8];
    for dimension in dimensions {
        file.extend(dimension.to_be_bytes());
    }
    file.extend(bytes);
    file
}

#[test]
fn idx_files_that_cannot_be_used() {
    let images = idx(8, &[4, 2, 2], &[7; 16]);
    let labels = idx(8, &[4], &[0, 1, 0, 1]);
    let folder = |what, images: &[u8], labels: &[u8]| {
        refused(&[Case {
            what,
            files: &[
                ("m/train-images-idx3-ubyte", images),
                ("m/train-labels-idx1-ubyte", labels),
            ],
            arguments: "--data m --format idx",
            code: 3,
        }])
    };
    let mut told = folder("truncated images", &images[..images.len() - 3], &labels);
    told += &folder("truncated in the header", &images[..6], &labels);
    told += &folder("wrong magic", b"PNG and so on, long enough", &labels);
    told += &folder(
        "numbers that are no bytes",
        &idx(13, &[1, 1, 1], &[0; 4]),
        &labels,
    );
    told += &folder("differing counts", &images, &idx(8, &[3], &[0, 1, 0]));
    told += &folder(
        "trailing bytes",
        &[images.as_slice(), &[0]].concat(),
        &labels,
    );
    told += &folder("zero rows", &idx(8, &[0, 2, 2], &[]), &idx(8, &[0], &[]));
    told += &refused(&[Case {
        what: "images without labels",
        files: &[("m/train-images-idx3-ubyte", &images)],
        arguments: "--data m --format idx",
        code: 3,
    }]);
    assert_snapshot!(told);
}

#[test]
fn folders_that_cannot_be_written() {
    let folder = |what, files, arguments, code| Case {
        what,
        files,
        arguments,
        code,
    };
    let report: &[(&str, &[u8])] = &[("run/report.json", b"{}")];
    let letter: &[(&str, &[u8])] = &[("run/letter.txt", b"Dear")];
    let file: &[(&str, &[u8])] = &[("run", b"")];
    let told = refused(&[
        folder("it exists", report, "--data digits --out run", 2),
        folder(
            "it holds other things",
            letter,
            "--data digits --out run --force",
            2,
        ),
        folder("it is a file", file, "--data digits --out run --force", 2),
        folder(
            "it is below a file",
            file,
            "--data digits --out run/deep/er",
            4,
        ),
        folder("it has no name", &[], "--data digits --out nowhere/..", 2),
    ]);
    assert_snapshot!(told);
}
