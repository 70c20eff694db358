//! Tables: aligned for people, never wrapped or cut when piped.

use comfy_table::{ColumnConstraint, ContentArrangement, Table as Comfy, Width, presets};

use super::Style;

/// Blanks between columns.
const GAP: u16 = 2;

/// Rows of cells under headings.
#[derive(Debug)]
pub(crate) struct Table {
    /// Taken away when they have been rendered.
    headings: Option<Vec<&'static str>>,
    rows: Vec<Vec<Cell>>,
    /// What the columns take at least, in characters: as much as any row before.
    widths: Vec<u16>,
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

    fn width(&self) -> u16 {
        u16::try_from(self.text.chars().count()).unwrap_or(u16::MAX)
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
        let widths = headings.iter().map(|heading| Cell::from(*heading).width()).collect();
        Self { headings: Some(headings), rows: Vec::new(), widths }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        for (width, cell) in self.widths.iter_mut().zip(&cells) {
            *width = (*width).max(cell.width());
        }
        self.rows.push(cells);
    }

    /// The rows so far as text with styles, under the headings if they are the first; lines have no trailing blanks. Rows
    /// that are added later stand under them: a column never gets narrower, and wider only where it must.
    pub(crate) fn render(&mut self) -> String {
        let mut table = Comfy::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if let Some(headings) = self.headings.take() {
            table.set_header(headings.iter().map(|heading| Cell::styled(*heading, Style::Heading).render()));
        }
        table.add_rows(self.rows.iter().map(|row| row.iter().map(Cell::render)));
        for (column, width) in table.column_iter_mut().zip(&self.widths) {
            let at_least = Width::Fixed(width.saturating_add(GAP));
            column.set_padding((0, GAP)).set_constraint(ColumnConstraint::LowerBoundary(at_least));
        }
        self.rows.clear();
        table.trim_fmt() + "\n"
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
            anstream::adapter::strip_str(&table.render()).to_string()
        };
        assert_eq!(batch(&[["1234", "x"], ["1", "yy"]]), "A     B\n1234  x\n1     yy\n");
        assert_eq!(batch(&[["2", "z"]]), "2     z\n");
        assert_eq!(batch(&[["123456", "z"], ["3", "z"]]), "123456  z\n3       z\n");
        assert_eq!(batch(&[["4", "z"]]), "4       z\n");
    }
}
