"""Where the texts of a figure stand: none outside it, none over another."""


def overlaps(figure):
    """Name the texts that stand over each other, or outside the figure."""
    figure.draw_without_rendering()
    texts = []
    for ax in figure.axes:
        if not ax.get_visible():
            continue
        ticks = [label for axis in (ax.xaxis, ax.yaxis) for label in axis.get_ticklabels() if _shown(label, axis, ax)]
        named = [ax.xaxis.label, ax.yaxis.label, ax.title, ax._left_title, *ax.texts, *ticks]
        texts += [text for text in named if text.get_text() and text.get_visible()]
        legend = ax.get_legend()
        texts += legend.get_texts() if legend is not None else []
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    width, height = figure.bbox.width, figure.bbox.height
    found = [text for text, box in boxes if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1]
    for k, (text, box) in enumerate(boxes):
        for other, its in boxes[:k]:
            wide = min(box.x1, its.x1) - max(box.x0, its.x0)
            high = min(box.y1, its.y1) - max(box.y0, its.y0)
            if wide > 1 and high > 1.5:
                found.append(f"{text} / {other}")
    return found


def _shown(label, axis, ax):
    low, high = sorted(ax.get_xlim() if axis is ax.xaxis else ax.get_ylim())
    place = label.get_position()[0 if axis is ax.xaxis else 1]
    return ax.axison and label.get_visible() and low <= place <= high and axis.get_visible()
