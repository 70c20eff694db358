//! Tables: aligned for people, never wrapped or cut when piped.

use comfy_table::{ContentArrangement, Table as Comfy, presets};

use super::Style;

/// Blanks between columns.
const GAP: u16 = 2;

/// Rows of cells under headings.
#[derive(Debug)]
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style }
    }

    fn render(&self) -> String {
        format!("{}{}{:#}", self.style, self.text, self.style)
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::Plain)
    }
}

impl Table {
    pub(crate) fn new(headings: Vec<&'static str>) -> Self {
        Self { headings, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table as text with styles; lines have no trailing blanks.
    pub(crate) fn render(&self) -> String {
        let mut table = Comfy::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(self.headings.iter().map(|heading| Cell::styled(*heading, Style::Heading).render()));
        table.add_rows(self.rows.iter().map(|row| row.iter().map(Cell::render)));
        table.column_iter_mut().for_each(|column| {
            column.set_padding((0, GAP));
        });
        table.trim_fmt() + "\n"
    }
}
