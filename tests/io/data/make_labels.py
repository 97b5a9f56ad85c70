"""Writes labels.xlsx, a workbook as other programs write it: shared strings, a gap above and between, a second sheet.

pip install openpyxl==3.1.5 && python tests/io/data/make_labels.py
"""

from datetime import datetime
from pathlib import Path

import openpyxl

book = openpyxl.Workbook()
book.properties.created = book.properties.modified = datetime(2019, 1, 1)
sheet = book.active
rows = {3: ['ID', 'imgName', 'Label', 'Fovea_X'], 4: [1, 'V0001.jpg', 0, 1157.74], 6: [2, ' V0002.jpg ', '1', None]}
for number, cells in rows.items():
    for column, value in enumerate(cells, 1):
        sheet.cell(number, column, value)
book.create_sheet('more').append(['not', 'this'])
book.save(Path(__file__).parent / 'labels.xlsx')
