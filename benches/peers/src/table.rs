//! Tables as Markdown.

/// A table with what is said about it.
#[derive(Debug)]
pub struct Section {
    /// What it shows; a paragraph.
    pub about: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// As many cells a row as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Section {
    /// The paragraph and the table.
    pub fn markdown(&self) -> String {
        let rule = vec!["---".to_owned(); self.head.len()];
        let rows = [&self.head, &rule].into_iter().chain(&self.rows);
        let table: String = rows
            .map(|row| format!("| {} |\n", row.join(" | ")))
            .collect();
        format!("{}\n\n{table}\n", self.about)
    }
}

/// The cells of a row or head.
pub fn cells<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown() {
        let section = Section {
            about: "Lengths.".to_owned(),
            head: cells(["what", "cm"]),
            rows: vec![cells(["hand", "18"])],
        };
        let expected = "Lengths.\n\n| what | cm |\n| --- | --- |\n| hand | 18 |\n\n";
        assert_eq!(section.markdown(), expected);
    }
}
