package main

import (
	"bytes"
	"image/color"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// colours tell the kinds of rows apart.
var colours = map[kind]color.Color{
	ours:  color.RGBA{R: 0xff, G: 0x66, B: 0x00, A: 0xff},
	peer:  color.RGBA{R: 0x5b, G: 0x7c, B: 0x99, A: 0xff},
	bound: color.RGBA{R: 0xc8, G: 0xc8, B: 0xc8, A: 0xff},
}

// chart draws the group's medians as bars, with the lowest and the highest round as a line across the end. A single
// row is no chart.
func (g *group) chart(dir string) error {
	if len(g.Rows) < 2 {
		return nil
	}
	plot.DefaultFont.Variant = "Sans"
	p := plot.New()
	p.Title.Text = g.Title
	p.Title.Padding, p.Y.Padding = vg.Points(8), vg.Points(4)
	label := g.metric.label
	if g.second.of != nil {
		label += "; " + g.second.label
	}
	p.X.Label.Text = label + " (orange: ours, blue: others, grey: limits)"
	p.Y.Label.Text = " " // a margin: names are a little wider than the library thinks
	p.X.Min = 0
	var names []string
	edge := g.edge()
	for i, r := range slices.Backward(g.Rows) { // the first row on top
		names = append(names, r.Name)
		if err := r.draw(p, g, len(g.Rows)-1-i, edge); err != nil {
			return err
		}
	}
	p.NominalY(names...)
	p.X.Max = edge * 1.15 // room for the numbers
	height := vg.Length(len(g.Rows))*vg.Points(20) + vg.Points(75)
	w, err := p.WriterTo(vg.Points(720), height, "svg")
	if err != nil {
		return err
	}
	var svg bytes.Buffer
	if _, err := w.WriteTo(&svg); err != nil {
		return err
	}
	text := bytes.ReplaceAll(svg.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arial,sans-serif"))
	return os.WriteFile(filepath.Join(dir, "performance-"+g.Name+".svg"), text, 0o644)
}

// edge is where bars end at the latest: one that is much longer than all others would make these unreadable.
func (g *group) edge() float64 {
	var longest stats
	for _, r := range g.Rows {
		if s := r.values(g.metric); len(s) > 0 {
			longest = append(longest, s.high())
		}
	}
	slices.Sort(longest)
	switch n := len(longest); n {
	case 0:
		return 1
	case 1:
		return longest[0]
	default:
		return min(longest[n-1], 1.5*longest[n-2])
	}
}

// draw adds the bar of one row of g at height y.
func (r *row) draw(p *plot.Plot, g *group, y int, edge float64) error {
	s := r.values(g.metric)
	if len(s) == 0 {
		return nil
	}
	bar, err := plotter.NewBarChart(plotter.Values{min(s.median(), edge)}, vg.Points(13))
	if err != nil {
		return err
	}
	bar.Horizontal, bar.XMin, bar.Color, bar.LineStyle.Width = true, float64(y), colours[r.Kind], 0
	high := plotter.XY{X: min(s.high(), edge), Y: float64(y)}
	spread, err := plotter.NewLine(plotter.XYs{{X: min(s.low(), edge), Y: float64(y)}, high})
	if err != nil {
		return err
	}
	text := " " + number(s.median())
	if s.median() > edge {
		text = "→" + text
	}
	if g.second.of != nil {
		text += "; " + number(r.values(g.second).median())
	}
	label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{high}, Labels: []string{text}})
	if err != nil {
		return err
	}
	label.TextStyle[0].Font.Variant = "Sans"
	label.Offset.Y = -vg.Points(4)
	p.Add(bar, spread, label)
	return nil
}
