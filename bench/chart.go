package main

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
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
	p.Y.Label.Text = " " // a margin
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
	return os.WriteFile(filepath.Join(dir, "performance-"+g.Name+".svg"), fitted(svg.Bytes()), 0o644)
}

// svgText is a text as the library draws it: attributes, font size, text.
var svgText = regexp.MustCompile(`<text ([^>]*font-size:(\d+)px")>([^<]*)</text>`)

// fitted gives each text of a chart the width that it was laid out for, since whoever looks at it may have another font.
func fitted(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte("Liberation Sans"), []byte("Liberation Sans,Arial,sans-serif"))
	return svgText.ReplaceAllFunc(svg, func(element []byte) []byte {
		part := svgText.FindSubmatch(element)
		text := strings.TrimSpace(html.UnescapeString(string(part[3])))
		size, err := strconv.Atoi(string(part[2]))
		if err != nil || text == "" {
			return element
		}
		face := font.DefaultCache.Lookup(plot.DefaultFont, vg.Points(float64(size)))
		return fmt.Appendf(nil, `<text textLength="%.1f" lengthAdjust="spacingAndGlyphs" %s>%s</text>`, face.Width(text).Points(), part[1], part[3])
	})
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
