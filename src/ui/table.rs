//! Aligned tables, never wrapped or cut.

use comfy_table::{ColumnConstraint, ContentArrangement, Table as Comfy, Width, presets};

use super::{Style, Text};
use crate::model::one_line;

/// Number of spaces between columns.
const COLUMN_GAP: u16 = 2;

/// Table that is rendered in batches of rows.
#[derive(Debug)]
pub(crate) struct Table {
    /// Headings; `None` once rendered.
    headings: Option<Vec<&'static str>>,
    rows: Vec<Vec<Cell>>,
    /// Minimum width of each column, in characters: that of the widest cell so far.
    widths: Vec<u16>,
}

/// Cell with one line of text.
#[derive(Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: one_line(text.into()), style }
    }

    fn width(&self) -> u16 {
        u16::try_from(self.text.chars().count()).unwrap_or(u16::MAX)
    }

    fn render(&self) -> String {
        Text::styled(self.style, &self.text).shown(true).into_owned()
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::styled(text, Style::Plain)
    }
}

impl Table {
    pub(crate) fn new(headings: Vec<&'static str>) -> Self {
        let widths = headings.iter().map(|heading| Cell::from(*heading).width()).collect();
        Self { headings: Some(headings), rows: Vec::new(), widths }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(cell.width());
        }
        self.rows.push(cells);
    }

    /// Renders the rows added since the last call, with the headings the first time. Later batches line up with earlier
    /// ones: a column never gets narrower, and wider only if it must.
    pub(crate) fn render(&mut self) -> Text {
        let mut table = Comfy::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if let Some(headings) = self.headings.take() {
            table.set_header(headings.iter().map(|heading| Cell::styled(*heading, Style::Heading).render()));
        }
        table.add_rows(self.rows.iter().map(|row| row.iter().map(Cell::render)));
        for (column, width) in table.column_iter_mut().zip(&self.widths) {
            let at_least = Width::Fixed(width.saturating_add(COLUMN_GAP));
            column.set_padding((0, COLUMN_GAP)).set_constraint(ColumnConstraint::LowerBoundary(at_least));
        }
        self.rows.clear();
        Text::rendered(table.trim_fmt() + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_rows_stand_under_the_first() {
        let mut table = Table::new(vec!["A", "B"]);
        let mut batch = |cells: &[[&'static str; 2]]| {
            for [a, b] in cells {
                table.row(vec![(*a).into(), Cell::styled(*b, Style::Good)]);
            }
            table.render().shown(false).into_owned()
        };
        assert_eq!(batch(&[["1234", "x"], ["1", "yy"]]), "A     B\n1234  x\n1     yy\n");
        assert_eq!(batch(&[["2", "z"]]), "2     z\n");
        assert_eq!(batch(&[["123456", "z"], ["3", "z"]]), "123456  z\n3       z\n");
        assert_eq!(batch(&[["4", "z"]]), "4       z\n");
    }

    #[test]
    fn a_cell_is_one_line_that_steers_no_terminal() {
        let mut table = Table::new(vec!["A", "B"]);
        table.row(vec!["1\n2\t\u{1b}[2J".into(), "\u{9b}".into()]);
        assert_eq!(table.render().shown(false), "A          B\n1\\n2 \u{fffd}[2J  \u{fffd}\n");
    }
}
